export { type Artifacts, type ArtifactWriter, fileArtifacts, fileDigest, type StoredArtifact } from './artifacts.ts';
