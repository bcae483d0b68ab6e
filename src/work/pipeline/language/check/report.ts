/** How what looks at a file tells its faults: a place in the file, a sentence, the known name nearest to what is there. */
import type { YamlPath } from '../../../../schemas/index.ts';

export type Report = (path: YamlPath, message: string, suggestion?: string) => void;
