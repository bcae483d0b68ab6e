/** The look before a run that `run`, `resume` and `retry` take: what warns is shown, what failed refuses. */
import type { App } from '../../../../app/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { admit, type Preflight } from '../../../../runtime/preflight/index.ts';
import type { LookedAt, Outlook } from '../../../../work/pipeline/index.ts';
import type { Cli } from '../../frame/index.ts';
import { printed } from './checks.ts';

/** A look that takes longer is named while it lasts. */
const patienceMs = 1000;
const longestReason = 500;

/** @throws AgovError PREFLIGHT_FAILED */
export async function lookBefore(cli: Cli, app: App, outlook: Outlook, reason: string | undefined): Promise<LookedAt> {
  if (reason !== undefined && (reason.trim() === '' || reason.length > longestReason)) {
    throw new AgovError('USAGE', {
      what: '--skip-preflight needs a reason.',
      why: `It goes on record, in 1 to ${longestReason} characters.`,
      fix: '--skip-preflight "the disk is being grown meanwhile"',
    });
  }
  const found = await patiently(cli, app, outlook);
  const noted = found.checks.filter(({ status }) => status !== 'ok');
  const text = printed(cli, noted);
  try {
    const record = admit(found, { reason, waivable: app.config.preflight.waivable });
    if (noted.length > 0) cli.note(text);
    return { record, report: await app.artifacts.put('preflight.json', `${JSON.stringify(found, null, 2)}\n`) };
  } catch (error) {
    cli.note(text);
    throw error;
  }
}

export async function patiently(cli: Cli, app: App, outlook: Outlook): Promise<Preflight> {
  const stop = new AbortController();
  using _signals = cli.io.signals.listen(() => stop.abort());
  using _slow = app.env.timer(() => cli.note('Looking at what must hold before the run …'), patienceMs);
  return await app.preflight(outlook, stop.signal);
}
