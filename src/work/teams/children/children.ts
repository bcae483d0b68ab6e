/**
 * Agents start agents: asked as an intent, in the ledger before anything runs, and ended with whoever asked. The intent
 * stays open as long as the child lives, so that its outcome tells what came of it, and a crash leaves it as unknown.
 */
import type { State } from '../../../adapters/state/port.ts';
import { type Budgets, limitsText } from '../../../governance/budgets/index.ts';
import { endOf, type Handed } from '../../../governance/delegation/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { BeginOptions, Channel, Governor } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import type { Standings } from '../../../governance/standing/index.ts';
import { canonicalJson, type Env, formatDuration, isoTime, messageOf, sha256Hex } from '../../../kernel/index.ts';
import type { Intent, Tier } from '../../../schemas/index.ts';
import {
  type KnownToAgents,
  mustDefine,
  type Roster,
  type RunAgent,
  type Seat,
  type Slots,
} from '../../agents/index.ts';
import { mustBeRole } from './names.ts';
import { register, retireChild } from './register.ts';
import { failedWith, runByDefinition } from './run.ts';
import type { Child, ChildEnd, Children, ChildWish, SpawnCall, Spawned } from './types.ts';

export interface ChildrenParts {
  readonly env: Env;
  readonly governor: Governor;
  readonly ledger: Ledger;
  readonly state: State;
  readonly standings: Standings;
  readonly budgets: Budgets;
  readonly artifacts: Artifacts;
  readonly roster: Roster;
  readonly known: KnownToAgents;
  readonly slots: Slots;
  /** How long one may live, and does where nothing else is said. */
  readonly lifetimeMs: number;
  runAgent(): Promise<RunAgent>;
}

interface Living extends Child {
  readonly owner: Seat;
  readonly run: string;
}

export function createChildren(parts: ChildrenParts): Children {
  const all = new Map<string, Living>();
  let turn: Promise<unknown> = Promise.resolve();
  /** One after another: each must count those before it. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined); // whoever asked is told
    return done;
  };
  const stopAll = async (some: readonly Living[], why: string): Promise<void> => {
    for (const child of some) child.stop(why);
    await Promise.allSettled(some.map(({ end }) => end));
  };
  const isBelow = (name: string, above: string): boolean =>
    parts.standings
      .line(name)
      .slice(1)
      .some((member) => member.name === above);

  async function spawn({ asker, wish, began }: SpawnCall, owner: Seat): Promise<Spawned> {
    const { channel } = asker;
    const { intent, begin, until } = asked(parts, asker, wish);
    const slot = parts.slots.take(channel.run);
    try {
      const begun = await parts.governor.begin(channel, intent, { parent: owner.parent, ...begin });
      if (begun.verdict !== 'allow') {
        slot[Symbol.dispose]();
        return begun;
      }
      const born = await bear(parts, channel, wish, begun.id, until).catch(async (error: unknown) => {
        const reason = messageOf(error).slice(0, 2000);
        await parts.governor.end(channel, begun.id, { status: 'failed', reason, facts: {} });
        throw error;
      });
      const child = live(asker, owner, wish, { ...born, intent: begun.id, until }, slot);
      all.set(child.name, child);
      began?.(child);
      return { verdict: 'allow', id: begun.id, child };
    } catch (error) {
      slot[Symbol.dispose]();
      throw error;
    }
  }

  function live(
    { channel }: Seat,
    owner: Seat,
    wish: ChildWish,
    born: Born & { intent: string; until: number },
    slot: Disposable,
  ): Living {
    const { name, tier, intent, until } = born;
    const stopping = new AbortController();
    let result: ChildEnd | undefined;
    const job = { channel: born.channel, intent, signal: stopping.signal };
    const work = wish.work ? wish.work(job) : runByDefinition(parts, wish, job, until - parts.env.now());
    const end = work
      .catch((error: unknown) => failedWith(messageOf(error)))
      .then(async (ended) => {
        const below = [...all.values()].filter(
          (one) => one.ended() === undefined && one.name !== name && isBelow(one.name, name),
        );
        await stopAll(below, `"${name}", above it, has ended.`);
        try {
          await retireChild(parts.roster, name, born.by, `Its run has ended: ${ended.end}.`);
          await record(parts, channel, name, intent, ended);
        } finally {
          result = ended;
          slot[Symbol.dispose]();
        }
        return ended;
      });
    end.catch(() => undefined); // whoever waits for it is told
    return {
      ...{ name, tier, intent, until, end, owner, run: channel.run },
      ...{ role: wish.role, definition: wish.definition, under: wish.under ?? channel.agent },
      ended: () => result,
      stop: (why) => stopping.abort(new Error(why)),
    };
  }

  return {
    spawn: (call, owner) => inTurn(async () => spawn(call(), owner)),
    under: ({ agent, run }) => [...all.values()].filter((one) => one.under === agent && one.run === run),
    async release(owner) {
      // What is on its way to be one of them.
      await turn;
      const own = [...all.values()].filter((one) => one.owner === owner);
      await stopAll(own, 'Whoever started it has ended.');
      for (const { name } of own) all.delete(name);
    },
  };
}

interface Asked {
  readonly intent: Intent;
  readonly begin: BeginOptions;
  readonly until: number;
}

/** What is judged, and what an approval of it is for: nothing in it hangs on the clock. */
function asked({ env, standings, known, lifetimeMs }: ChildrenParts, { channel }: Seat, wish: ChildWish): Asked {
  const role = mustBeRole(wish.role);
  const under = wish.under ?? channel.agent;
  const { value, text } = mustDefine(wish.definition, known);
  const { tier = value.tier, secrets = [], limits, payer, lifeMs, slot, input } = wish;
  const now = env.now();
  const until = lifeMs === undefined ? Math.min(now + lifetimeMs, endOf(standings.line(under))) : now + lifeMs;
  const tooLong =
    until > now + lifetimeMs ? `It would live longer than ${formatDuration(lifetimeMs)} (teams.lifetime).` : undefined;
  const refused = wish.refused ?? tooLong;
  const args = {
    ...{ definition: wish.definition, sha256: sha256Hex(text), tier, role, under, task: sha256Hex(wish.task) },
    ...(input === undefined ? {} : { input: sha256Hex(canonicalJson(input)) }),
    ...(secrets.length > 0 ? { secrets: [...secrets] } : {}),
    ...(limits === undefined ? {} : { budget: limitsText(limits) }),
    ...(lifeMs === undefined ? {} : { life: formatDuration(lifeMs) }),
    ...(slot === undefined ? {} : { slot }),
  };
  const spawn = {
    parent: under,
    tier,
    needs: value.tier,
    until,
    secrets,
    ...(refused === undefined ? {} : { refused }),
    ...(limits === undefined ? {} : { limits }),
    ...(payer === undefined ? {} : { payer }),
  };
  return {
    intent: { action: 'agent.spawn', resource: `${under}.${role}`, args },
    begin: { facts: { target: { tier } }, spawn },
    until,
  };
}

interface Born {
  readonly name: string;
  readonly channel: Channel;
  readonly tier: Tier;
  readonly by: { readonly operator: string; readonly user: string };
}

async function bear(
  parts: ChildrenParts,
  channel: Channel,
  wish: ChildWish,
  intent: string,
  until: number,
): Promise<Born> {
  const { budgets, standings, known } = parts;
  const { role, limits, secrets = [], team = channel.team, peers } = wish;
  const under = wish.under ?? channel.agent;
  const line = standings.line(under);
  const handedOn = under === channel.agent ? channel.budget : (line[0].handed?.budget ?? channel.budget);
  const above = wish.payer ?? handedOn;
  const tier = wish.tier ?? mustDefine(wish.definition, known).value.tier;
  const { run, workspace } = channel;
  const by = { operator: line.at(-1)?.agent?.operator ?? channel.agent, user: `agent ${channel.agent}` };
  const handed: Handed = {
    ...{ parent: under, run, intent, until: isoTime(until), secrets: [...secrets], role },
    ...(team === undefined ? {} : { team }),
    ...(peers ? { peers } : {}),
  };
  const openBudget = async (name: string): Promise<string | undefined> => {
    if (!limits) return above;
    const parent = above === undefined ? {} : { parent: above };
    return budgets.openScope({ run, agent: name, name: `agent ${name}`, limits, key: `spawn:${intent}`, ...parent });
  };
  const { name, budget } = await register(parts, { tier, role, handed, by, budget: openBudget });
  const own = {
    agent: name,
    run,
    workspace,
    ...(budget === undefined ? {} : { budget }),
    ...(team === undefined ? {} : { team }),
  };
  return { name, tier, by, channel: own };
}

/** The outcome of the intent by which it was started; what it answered is an artifact of it. */
async function record(
  { governor, artifacts }: ChildrenParts,
  channel: Channel,
  name: string,
  intent: string,
  ended: ChildEnd,
): Promise<void> {
  const { status, end, exitCode, reason } = ended;
  const kept = [await artifacts.put('result.json', JSON.stringify(ended))];
  const facts = { child: name, end, exitCode };
  const why = status === 'ok' ? {} : { reason: (reason ?? `It ended: ${end}.`).slice(0, 2000) };
  await governor.end(channel, intent, { status, facts, artifacts: kept, ...why });
}
