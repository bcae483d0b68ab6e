export { pipelineUsing, templatesIn, usesOf } from './begin.ts';
export { checkCall, checkKeys, type Tell } from './calls.ts';
export { type Expanded, expand, type Origin } from './expand.ts';
export { createReport, type Frame, type ReportAt } from './frame.ts';
export { type ProjectPlaces, projectTemplates, readShipped, shippedTemplates } from './source/files.ts';
export { type KeptSource, keptTemplates, keptText, readKept } from './source/kept.ts';
export { createLibrary, type TemplateFiles } from './source/library.ts';
export { type Module, type Place, pipelineModule } from './source/module.ts';
