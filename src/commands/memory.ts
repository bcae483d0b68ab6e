#!/usr/bin/env node
/** `memory`: the same as `agov memory`. */
import { start } from '../surfaces/start.ts';

await start(['memory', ...process.argv.slice(2)]);
