// Names of hosts come from outside and go into addresses: an id is made of
// letters that need no escape there, and no two names have the same one.
//
//   web-07          web-07
//   Büro 1          B~00fcro~00201
//   .. and local    ~002e. and ~006cocal: an address must not climb, and the first host is local

const PLAIN = /[A-Za-z0-9._-]/;
/** The host that is there from the start, whatever it is called. */
export const FIRST_ID = 'local';

export function hostIdOf(name: string): string {
  const isSpecial = name.startsWith('.') || name === FIRST_ID;
  let id = '';
  for (let at = 0; at < name.length; at++) {
    const unit = name.charAt(at);
    const isPlain = PLAIN.test(unit) && !(isSpecial && at === 0);
    id += isPlain ? unit : `~${name.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }
  return id;
}
