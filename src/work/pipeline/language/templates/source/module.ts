/** A document of the language, as it is written: the pipeline, or one of the templates that stages of it stand for. */
import type { Fault, PipelineFile, Template, WrittenStage, YamlFile, YamlPath } from '../../../../../schemas/index.ts';

export interface Module {
  /** As people find it: `agov:plan-apply`, `pipelines/parts.yaml#deploy`; empty for a pipeline, which nothing uses. */
  readonly id: string;
  /** The file, by its path in the project or as `agov:name`: what `./` in it starts from. */
  readonly path: string;
  readonly parameters: PipelineFile['parameters'];
  readonly stages: Readonly<Record<string, WrittenStage>>;
  readonly finally: Readonly<Record<string, WrittenStage>>;
  readonly outputs: Template['outputs'];
  /** A fault at a place of the file. */
  fault(path: YamlPath, message: string, suggestion?: string): Fault;
}

/** A place in one of the files. */
export interface Place {
  readonly module: Module;
  readonly path: YamlPath;
}

export function pipelineModule({ value, fault }: YamlFile<PipelineFile>, path: string): Module {
  const { parameters, stages, finally: final } = value;
  return { id: '', path, parameters, stages, finally: final, outputs: {}, fault };
}

export function templateModule({ value, fault }: YamlFile<Template>, path: string): Module {
  const { name, parameters, stages, outputs } = value;
  const id = path.startsWith('agov:') ? path : `${path}#${name}`;
  return { id, path, parameters, stages, finally: {}, outputs, fault };
}
