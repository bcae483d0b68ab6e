#!/usr/bin/env node
/** `checkpoint`: the same as `agov checkpoint`. */
import { start } from '../surfaces/start.ts';

await start(['checkpoint', ...process.argv.slice(2)]);
