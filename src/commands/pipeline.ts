#!/usr/bin/env node
/** `pipeline`: the same as `agov pipeline`. */
import { start } from '../surfaces/start.ts';

await start(['pipeline', ...process.argv.slice(2)]);
