/** What verifying a log found. Every problem says where: `seq` is the first entry that it puts in doubt. */

interface Located {
  readonly seq: number;
  /** One sentence for people. */
  readonly what: string;
  readonly expected?: string;
  readonly found?: string;
}

export type Problem = Located &
  (
    | { readonly kind: 'entry-missing'; readonly to: number }
    | { readonly kind: 'entry-misplaced' | 'entry-unreadable' | 'entry-changed' | 'leaf-changed' }
    | { readonly kind: 'column-changed'; readonly column: string }
    | { readonly kind: 'index-changed' }
    | { readonly kind: 'tile-changed'; readonly level: number; readonly index: number }
    | { readonly kind: 'head-invalid' }
    /** The entries from `seq` to `to` are not those that the head of `size` was signed over. */
    | { readonly kind: 'head-differs'; readonly to: number; readonly size: number; readonly saved: boolean }
    | { readonly kind: 'log-cut'; readonly to: number; readonly size: number; readonly saved: boolean }
    | { readonly kind: 'entry-unsigned'; readonly to: number }
    | { readonly kind: 'log-unreadable' }
  );

export type VerifyReport =
  | {
      readonly ok: true;
      readonly origin: string;
      readonly size: number;
      /** Lower-case hex. */
      readonly root: string;
      /** How many signed heads were checked, saved ones included. */
      readonly heads: number;
    }
  | {
      readonly ok: false;
      /** How many entries were read. */
      readonly size: number;
      /** In the order found, at most 16: the first is the one to look at. */
      readonly problems: readonly [Problem, ...Problem[]];
    };

export const maxProblems = 16;

/** `entry 7` or `entries 7 to 9`. */
export function range(seq: number, to: number): string {
  return seq === to ? `entry ${seq}` : `entries ${seq} to ${to}`;
}
