export { type CommitterOptions, createCommitter, type Receipt, signHead } from './commit.ts';
export { type AppendQueue, createQueue } from './queue.ts';
export { loadHead, loadTip, type SignedHead } from './tip.ts';
