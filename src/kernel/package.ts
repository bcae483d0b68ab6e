/** Files that come with agov and are read where they lie. */
import { fileURLToPath } from 'node:url';

/**
 * The absolute path of a file of the package. This module lies two folders below its root, as source and in the bundle
 * (`dist/chunks/`), and no other may look for such files by its own place.
 */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
