// The catalogue of coded errors that a user or a program can meet. Every code
// has a line in apps/server/README.md (a test compares the two).

export const ERRORS = {
  DENDRO_UNAUTHENTICATED: { status: 401, text: 'A token is needed: open the URL that dendro printed when it started.' },
  DENDRO_ORIGIN_REFUSED: { status: 403, text: 'This origin may not talk to dendro.' },
  DENDRO_HOST_REFUSED: { status: 403, text: 'dendro does not answer under this host name.' },
  DENDRO_HOST_UNKNOWN: { status: 404, text: 'No such host.' },
  DENDRO_ROUTE_UNKNOWN: { status: 404, text: 'No such route.' },
  DENDRO_TASK_UNKNOWN: { status: 404, text: 'No such task was known at that time.' },
  DENDRO_TASK_AMBIGUOUS: { status: 409, text: 'Several tasks fit: name one by its task id.' },
  DENDRO_TASK_ID_INVALID: {
    status: 400,
    text: 'Not a task: use a task id, e:ENTITY_ID, or pid:PID together with a time.',
  },
  DENDRO_TIME_INVALID: { status: 400, text: 'Not a time: use epoch nanoseconds, RFC 3339, -5m or live.' },
  DENDRO_TIME_OUT_OF_RANGE: { status: 400, text: 'The tree does not reach as far as that time.' },
  DENDRO_REQUEST_INVALID: { status: 400, text: 'The request is not valid.' },
  DENDRO_BODY_TOO_LARGE: { status: 413, text: 'The body of the request is too large: send it in parts.' },
  DENDRO_MESSAGE_INVALID: { status: 400, text: 'The message on the socket is not valid.' },
  DENDRO_BATCH_MALFORMED: { status: 400, text: 'The batch of facts is malformed.' },
  DENDRO_BUSY: { status: 429, text: 'Too many questions wait for an answer: ask again in a moment.' },
  DENDRO_TREE_UNAVAILABLE: { status: 503, text: 'The process tree is not ready or has stopped.' },
  DENDRO_INTERNAL: { status: 500, text: 'An error inside dendro; its log has the details.' },
  DENDRO_SOURCE_UNKNOWN: { status: 500, text: 'No such source.' },
  DENDRO_SOURCE_UNAVAILABLE: { status: 500, text: 'The source cannot be used here.' },
  DENDRO_SOURCE_UNREADABLE: { status: 500, text: 'The file of the source cannot be read.' },
  DENDRO_RECORDING_UNWRITABLE: { status: 500, text: 'The recording cannot be written.' },
  DENDRO_HISTORY_IN_USE: { status: 500, text: 'Another dendro keeps its history in this directory.' },
  DENDRO_HISTORY_VERSION: { status: 500, text: 'The history was written by a newer dendro.' },
  DENDRO_HISTORY_UNREADABLE: { status: 500, text: 'The directory of the history cannot be used.' },
  DENDRO_HISTORY_DAMAGED: { status: 500, text: 'A part of the history is damaged and cannot be read.' },
  DENDRO_HISTORY_TOO_OLD: { status: 410, text: 'The history does not reach back to that time any more.' },
  DENDRO_HISTORY_OFF: { status: 404, text: 'Nothing is recorded of this host.' },
  DENDRO_WINDOW_TOO_LARGE: { status: 413, text: 'The window of time holds too much: ask for a shorter one.' },
  DENDRO_PORT_TAKEN: { status: 500, text: 'The port is in use.' },
  DENDRO_OPTION_INVALID: { status: 500, text: 'An option has a value that does not fit.' },
} as const;
export type ErrorCode = keyof typeof ERRORS;

/** An error for a user: a code of the catalogue and one sentence that says what to do. */
export class DendroError extends Error {
  readonly code: ErrorCode;
  /** What a program may need beside the sentence; part of the answer. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string = ERRORS[code].text,
    { details = {}, ...options }: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options);
    this.name = 'DendroError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** Any thrown value as an Error; called once, at the edge. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
