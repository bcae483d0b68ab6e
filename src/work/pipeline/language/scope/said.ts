/** What a stage waits for before it starts, in words for plans and graphs. */
import { consentOf, type Stage } from '../../../../schemas/index.ts';
import { eventGateOf, evidenceOf } from './event.ts';

export function waitsOf({ gate, locks = [] }: Pick<Stage, 'gate' | 'locks'>): readonly string[] {
  const consent = consentOf(gate);
  const { quorum = 1, roles = [] } = consent ?? {};
  const event = eventGateOf({ gate });
  return [
    ...(consent
      ? [['asks', ...(quorum > 1 ? [quorum] : []), ...(roles.length > 0 ? [roles.join(' or ')] : [])].join(' ')]
      : []),
    ...evidenceOf({ gate }).map(({ stage, artifact }) => `evidence ${artifact} of ${stage}`),
    ...(event ? [`event ${event.name}`] : []),
    ...(locks.length > 0 ? [`locks ${locks.join(' ')}`] : []),
  ];
}
