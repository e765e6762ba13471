// The histories of all hosts of a feed: that of the first, which is there from the start, those of hosts that were recorded
// before, and one for each that appears. Each is a thread and a file of its own, so that no busy host holds up, or pushes out,
// another; the bounds of `--keep` and `--max-size` hold for each, and `--max-hosts` says how many there are.

import { DendroError, toError } from '@dendro/protocol';
import { DEFAULT_MAX_HOSTS } from '@dendro/sources';
import type { FromWorker, TreeResumptions } from '../tree-worker/messages.ts';
import { type FolderHost, folderOf, foldersIn, hostIn, noteHost, removeFolder } from './host-folders.ts';
import { type HistorySettings, HostHistory } from './host-history.ts';

export interface HistoriesSettings extends HistorySettings {
  /** The first one counts too. Default 64. */
  readonly maxHosts?: number | undefined;
}

type HostMessage = Extract<FromWorker, { type: 'host' }>;

export class Histories {
  readonly first: HostHistory;
  readonly #settings: HistoriesSettings;
  /** By name. */
  readonly #further = new Map<string, HostHistory>();
  /** What could not be opened, and is kept as it is. */
  readonly notices: string[] = [];
  #firstName: string | undefined;

  private constructor(first: HostHistory, settings: HistoriesSettings) {
    this.first = first;
    this.#settings = settings;
    this.#firstName = hostIn(settings.directory)?.name;
  }

  /** @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE of the first host */
  static async open(settings: HistoriesSettings): Promise<Histories> {
    const histories = new Histories(await HostHistory.open(settings), settings);
    await histories.#openKnown();
    return histories;
  }

  /** What the trees begin with. */
  get resumptions(): TreeResumptions {
    return {
      firstName: this.#firstName,
      first: this.first.resumption,
      further: [...this.#further].map(([name, { resumption }]) => ({ name, resumption })),
    };
  }

  /** Of a host that has appeared. */
  of({ number, host: { name } }: HostMessage): HostHistory {
    if (number === 0) return this.first;
    const known = this.#further.get(name);
    if (known !== undefined) return known;
    const directory = folderOf(this.#settings.directory, name);
    const history = HostHistory.toBegin({ ...this.#settings, directory }, (baseEpochNs) =>
      noteHost(directory, { name, baseEpochNs }),
    );
    this.#further.set(name, history);
    return history;
  }

  /** The first host has a name by now, from its feed: whoever comes first next time need not be it. */
  noteFirstName(name: string): void {
    if (name === this.#firstName) return;
    this.#firstName = name;
    try {
      noteHost(this.#settings.directory, { name, baseEpochNs: 0n });
    } catch (thrown) {
      this.notices.push(`The name of the first host could not be written down: ${toError(thrown).message}.`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.first, ...this.#further.values()].map((history) => history.close()));
  }

  async #openKnown(): Promise<void> {
    const { directory, maxAgeNs, maxHosts = DEFAULT_MAX_HOSTS } = this.#settings;
    const oldestMs = maxAgeNs === undefined ? 0 : Date.now() - Number(maxAgeNs / 1_000_000n);
    const folders = foldersIn(directory).filter((folder) => {
      const isKept = folder.changedMs >= oldestMs;
      if (!isKept) removeFolder(folder); // all that is in it is older than what is kept
      return isKept;
    });
    const wanted = folders.slice(0, maxHosts - 1);
    const rest = folders.length - wanted.length;
    if (rest > 0) this.notices.push(`The histories of ${rest} more hosts are there: --max-hosts lets more in.`);
    await Promise.all(wanted.map((folder) => this.#openFolder(folder)));
  }

  async #openFolder(host: FolderHost & { readonly directory: string }): Promise<void> {
    const { name, directory, baseEpochNs } = host;
    try {
      this.#further.set(name, await HostHistory.open({ ...this.#settings, directory }, baseEpochNs));
    } catch (thrown) {
      if (!(thrown instanceof DendroError)) throw thrown;
      this.notices.push(thrown.message);
    }
  }
}
