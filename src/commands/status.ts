#!/usr/bin/env node
/** `status`: the same as `agov status`. */
import { start } from '../surfaces/start.ts';

await start(['status', ...process.argv.slice(2)]);
