#!/usr/bin/env node
/** `agov`. */
import { start } from './surfaces/start.ts';

await start(process.argv.slice(2));
