import { readFileSync } from 'node:fs';

const MAX_USERS = 10_000;

/** User names by uid, from /etc/passwd: `name:x:uid:…`. Empty where there is none. */
export function readUsers(path = '/etc/passwd'): Record<string, string> {
  const users: Record<string, string> = {};
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return users; // names are a comfort: numbers are shown without them
  }
  for (const line of text.split('\n').slice(0, MAX_USERS)) {
    const [name, , uid] = line.split(':');
    if (name && uid && /^\d+$/.test(uid)) users[uid] ??= name;
  }
  return users;
}
