/** What can be said of one document by itself: its parameters, who needs whom, and the stages that stand for templates. */
import { meansTemplate, nearest } from '../../../../schemas/index.ts';
import { checkParameters } from '../parameters.ts';
import { findCycle } from '../stages.ts';
import { checkKeys, type Module, type ReportAt } from '../templates/index.ts';
import type { Report } from './report.ts';

export function checkModule(module: Module, reportAt: ReportAt): void {
  const report: Report = (path, message, suggestion) => reportAt({ module, path }, message, suggestion);
  checkParameters(module, report);
  for (const place of ['stages', 'finally'] as const) {
    const stages = module[place];
    for (const [name, stage] of Object.entries(stages)) {
      if (place === 'finally' && Object.hasOwn(module.stages, name)) {
        report([place, name], `There is a stage "${name}" already.`);
        continue;
      }
      checkNeeds(module, place, name, report);
      if (meansTemplate(stage.uses)) checkKeys(stage, [place, name], report);
    }
    const cycle = findCycle(stages);
    if (cycle) report([place, cycle[0] ?? '', 'needs'], `The stages need each other: ${cycle.join(' → ')}.`);
  }
}

function checkNeeds(module: Module, place: 'stages' | 'finally', name: string, report: Report): void {
  const stages = module[place];
  for (const [i, need] of (stages[name]?.needs ?? []).entries()) {
    if (Object.hasOwn(stages, need)) continue;
    const at = [place, name, 'needs', i];
    if (place === 'finally' && Object.hasOwn(module.stages, need)) {
      report(at, 'Final stages come after all others, and need each other alone.');
    } else {
      report(at, `There is no stage "${need}".`, nearest(need, Object.keys(stages)));
    }
  }
}
