/**
 * An agent's standing in the ledger and outside of it. The ledger comes first: it is the truth, and what a crash leaves
 * undone outside is finished by the same command again, by `agov agent enroll`, or by the agent's next lease.
 */
import type { Identities, Invitation, Retired } from '../../adapters/authority/port.ts';
import type { AgentRecord } from '../../adapters/state/port.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { AgovError, isAgovError, isoTime } from '../../kernel/index.ts';
import { nameSchema, type Tier } from '../../schemas/index.ts';
import { endRetired, type OperatorAct, type Roster } from '../../work/agents/index.ts';
import type { KillReport, Why } from '../lifecycle/index.ts';

export interface StandingParts {
  /** Undefined where agents have no identity but their name in the ledger. */
  identities(): Promise<Identities | undefined>;
  readonly ledger: Ledger;
  readonly roster: Roster;
  /** Stops what runs by a tier that the agent no longer has. */
  stopMoved(agent: AgentRecord, why: Why): Promise<KillReport>;
}

/** An agent with its identity. Looked at before anything is recorded: with the authority away nothing is half made. */
export async function addAgent(parts: StandingParts, name: string, tier: Tier, by: OperatorAct): Promise<AgentRecord> {
  const { roster } = parts;
  const identities = await parts.identities();
  // A name that is none is the roster's to refuse.
  if (identities && nameSchema.safeParse(name).success && (await identities.look(name))) {
    throw new AgovError('CONFLICT', {
      what: `There is an identity "${name}" outside of this project's record already.`,
      why: 'It is of another project with the same prefix, or of a ledger that was lost.',
      fix: 'Choose another name, or give this project a prefix of its own (secrets.vault.prefix in agov.yaml).',
    });
  }
  const made = await roster.add(name, tier, by);
  if (identities) await finishing(made, 'added', () => enroll(parts, identities, made, by, 'enrolled'));
  return made;
}

export interface Enrolled {
  readonly agent: AgentRecord;
  /** Of an agent that was retired: what is left of its identity. */
  readonly retired?: Retired;
}

/** Makes the agent's identity what the ledger says. @throws NOT_FOUND, CONFLICT for an agent that was revoked */
export async function enrollAgent(parts: StandingParts, name: string, by: OperatorAct): Promise<Enrolled> {
  const agent = await parts.roster.get(name);
  const identities = await needed(parts);
  if (agent.status === 'retired') {
    return { agent, retired: await endRetired({ ledger: parts.ledger, identities }, agent, by) };
  }
  if (agent.status !== 'active' && agent.status !== 'frozen') {
    throw new AgovError('CONFLICT', { what: `Agent "${name}" is ${agent.status}.`, fix: 'See "agov agent list".' });
  }
  await enroll(parts, identities, agent, by, 'enrolled');
  if (agent.status === 'frozen') await identities.suspend(name);
  return { agent };
}

export interface Move {
  readonly to: Tier;
  /** Of a demotion: what runs has the sandbox of the higher tier. */
  readonly stops: boolean;
}

export interface Moved {
  readonly agent: AgentRecord;
  /** Of a demotion: what was stopped. */
  readonly stopped?: KillReport;
}

/** Also finishes a move that was cut short. @throws INPUT_INVALID, CONFLICT, NOT_FOUND */
export async function moveAgent(parts: StandingParts, name: string, move: Move, why: Why): Promise<Moved> {
  const { roster } = parts;
  const { to, stops } = move;
  const before = await roster.get(name);
  const identities = await parts.identities();
  const unfinished = before.tier === to && before.status === 'active' && identities !== undefined;
  const agent = unfinished ? before : await roster.move(name, to, why.by, why.reason);
  // Side by side: an authority that does not answer must not keep a process alive that may no longer run so.
  const [moved, stopped] = await Promise.allSettled([
    identities
      ? finishing(agent, `at ${to} in the ledger`, () => enroll(parts, identities, agent, why.by, 'moved'))
      : undefined,
    stops ? parts.stopMoved(agent, why) : undefined,
  ]);
  if (stopped.status === 'rejected') throw stopped.reason;
  if (moved.status === 'rejected') throw moved.reason;
  return { agent, ...(stopped.value ? { stopped: stopped.value } : {}) };
}

/** An invitation for a host whose governor may make none. @throws NOT_FOUND, AGENT_NOT_ACTIVE */
export async function inviteAgent(
  parts: StandingParts,
  name: string,
  ttlMs: number,
  by: OperatorAct,
): Promise<Invitation> {
  const agent = await parts.roster.get(name);
  const identities = await needed(parts);
  if (agent.status !== 'active') {
    throw new AgovError('AGENT_NOT_ACTIVE', {
      what: `Agent "${name}" is ${agent.status}.`,
      fix: 'See "agov agent list".',
    });
  }
  if ((await identities.look(name))?.tier !== agent.tier) await enroll(parts, identities, agent, by, 'enrolled');
  const invitation = await identities.invite(name, { ttlMs, delivered: true });
  const body = { ...by, step: 'invited', invitation: invitation.id ?? '', expiresAt: isoTime(invitation.expiresAt) };
  // Nobody has it before this is on record.
  await parts.ledger.append({ kind: 'authority', agent: name, tier: agent.tier, body });
  return invitation;
}

async function enroll(
  { ledger }: StandingParts,
  identities: Identities,
  { name, tier }: AgentRecord,
  by: OperatorAct,
  step: 'enrolled' | 'moved',
): Promise<void> {
  await identities.enroll(name, tier);
  await ledger.append({ kind: 'authority', agent: name, tier, body: { ...by, step } });
}

/** What is on record stays so; whoever asked must hear what is missing outside. */
export async function finishing(agent: AgentRecord, is: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isAgovError(error)) throw error;
    throw new AgovError(error.code, {
      what: `Agent "${agent.name}" is ${is}, and its identity in Vault is not yet. ${error.what}`,
      ...(error.why === undefined ? {} : { why: error.why }),
      fix: `${error.fix ?? ''} Then: agov agent enroll ${agent.name}`.trim(),
      cause: error,
      ...(error.details ? { details: error.details } : {}),
    });
  }
}

async function needed({ identities }: StandingParts): Promise<Identities> {
  const found = await identities();
  if (found) return found;
  throw new AgovError('USAGE', {
    what: 'Agents of this project have no identity but their name in the ledger.',
    why: 'They get one with Vault.',
    fix: 'Configure secrets.vault in agov.yaml: docs/guide/vault.md',
  });
}
