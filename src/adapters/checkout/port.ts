/** A folder whose work a version control keeps: what stands there and is not yet kept, and a place beside it for what was. */

export interface Changed {
  /** From the folder, with `/` between. */
  readonly path: string;
  readonly change: 'modified' | 'added' | 'deleted' | 'renamed' | 'untracked' | 'conflicted';
  /** What it was called before. */
  readonly from?: string;
  /** Names the content that the last commit has; left out where it has none. */
  readonly base?: string;
}

export type Checkout =
  | { readonly ok: false /** What is missing, one sentence. */; readonly why: string }
  | {
      readonly ok: true;
      /** Left out before the first commit. */
      readonly commit?: string;
      readonly subject?: string;
      /** Left out where the head is on none. */
      readonly branch?: string;
      /** In the order of their paths. */
      readonly changes: readonly Changed[];
    };

export interface Compared {
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
}

export interface Checkouts {
  /** Cheap, changes nothing, and never throws but for the signal. */
  look(folder: string, signal?: AbortSignal): Promise<Checkout>;
  /** Contents by their names, without those over `most` bytes. @throws TOOL_FAILED */
  contents(folder: string, names: readonly string[], most: number): Promise<ReadonlyMap<string, Buffer>>;
  /** The hunks of a unified diff for each pair, in the same order; empty where the two are equal. @throws TOOL_FAILED */
  compare(pairs: readonly Compared[], room: string): Promise<readonly string[]>;
  /** Makes a new branch at a commit, with a folder of its own; neither may be there. @throws CONFLICT, TOOL_FAILED */
  branchOut(folder: string, wanted: { commit: string; branch: string; into: string }): Promise<void>;
}
