import { registerHistoryContract } from '../contract.ts';
import { testFolders } from '../test-folders.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();

registerHistoryContract('a history in SQLite', (place) => new SqliteHistory(place), folder);
registerHistoryContract(
  'a history in SQLite that puts every life into a block at once',
  (place) => new SqliteHistory(place, { graceNs: 0, blockLives: 1, keyframeFacts: 10 }),
  folder,
);
