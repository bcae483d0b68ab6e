/** One use of a document while it is put in its place: what it was handed, and by whom. */
import type { JsonObject } from '../../../../kernel/index.ts';
import type { Fault, YamlPath } from '../../../../schemas/index.ts';
import type { Module, Place } from './source/module.ts';

export interface Frame {
  /** Name of the stage that stands for it, as in `deploy.check`; empty for the pipeline. */
  readonly name: string;
  readonly module: Module;
  readonly with: JsonObject;
  /** Who uses it, and where that stage is written. */
  readonly by: { readonly frame: Frame; readonly at: YamlPath } | undefined;
  readonly final: boolean;
}

export type ReportAt = (place: Place, message: string, suggestion?: string) => void;

/** Gathers faults of several files; what several uses of one template have in common is told once. */
export function createReport(): { readonly faults: Fault[]; readonly report: ReportAt } {
  const faults: Fault[] = [];
  const told = new Set<string>();
  return {
    faults,
    report({ module, path }, message, suggestion) {
      const fault = module.fault(path, message, suggestion);
      const key = JSON.stringify(fault);
      if (told.has(key)) return;
      told.add(key);
      faults.push(fault);
    },
  };
}

/** `deploy.check`: no name as written has a dot, so that no two stages meet. */
export function fullName(frame: Frame, local: string): string {
  return frame.name === '' ? local : `${frame.name}.${local}`;
}
