/** Something that can be done, as the command palette lists it. */
export interface Command {
  readonly title: string;
  readonly keys?: string;
  readonly run: () => void;
}
