export { type Artifacts, type ArtifactWriter, fileArtifacts, type StoredArtifact } from './artifacts.ts';
