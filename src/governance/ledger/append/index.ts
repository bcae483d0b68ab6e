export { createCommitter, headText, type Receipt } from './commit.ts';
export { type AppendQueue, createQueue } from './queue.ts';
export { isRemote, openSigning, type Signing } from './signing.ts';
export { loadHead, loadTip, type SignedHead } from './tip.ts';
