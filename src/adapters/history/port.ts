/** What has changed in a folder, by whatever keeps its history. */

export interface Change {
  /** Milliseconds since the epoch, as its author's machine told them. */
  readonly at: number;
  readonly id: string;
  readonly subject: string;
  /** Files, from the folder's own root, with `/` between. */
  readonly paths: readonly string[];
}

export type History =
  | { readonly ok: false /** What is missing, one sentence. */; readonly why: string }
  | { readonly ok: true /** Newest first. */; changes(asked: ChangesAsked): AsyncIterable<Change> };

export interface ChangesAsked {
  /** Milliseconds since the epoch: what is older may be left out. */
  readonly since: number;
  readonly signal?: AbortSignal;
}

/** Of the folder `root`; cheap, changes nothing, and never throws. */
export type OpenHistory = (root: string) => Promise<History>;
