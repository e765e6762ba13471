// `pnpm evening`: writes docs/evening.dendro, which the tour is about, anew.

import { writeFileSync } from 'node:fs';
import { EVENING_FILE, EVENING_USERS, eveningEvents } from './evening.ts';
import { recordingOf } from './write-recording.ts';

writeFileSync(EVENING_FILE, recordingOf(eveningEvents(), { name: 'web-07', users: EVENING_USERS }));
