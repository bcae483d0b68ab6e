/** What every authority holds to with agents' identities: rights by the tier alone, at the next request, and none after an end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../kernel/index.ts';
import type { Credential, Identities, Invitation } from './port.ts';

export interface IdentitiesFixture extends AsyncDisposable {
  /** Two governors of one project. */
  readonly first: Identities;
  readonly second: Identities;
  /** One of another project with the same names. */
  readonly stranger: Identities;
  /** Whether `token` is let at that secret. T0 may neither, T1 the first, T2 both. */
  reads(token: Secret, path: 'dev/db' | 'staging/db'): Promise<boolean>;
  /** Opens the envelope as somebody does who got hold of it. */
  steal(invitation: Invitation): Promise<void>;
}

export function identitiesContract(name: string, open: () => Promise<IdentitiesFixture>): void {
  describe(`${name} keeps the identities contract`, () => {
    let fixture: IdentitiesFixture;
    let first: Identities;
    let second: Identities;
    beforeAll(async () => {
      fixture = await open();
      ({ first, second } = fixture);
    });
    afterAll(() => fixture[Symbol.asyncDispose]());

    const minute = { ttlMs: 60_000, delivered: true } as const;
    const logIn = async (agent: string, by = first): Promise<Credential> =>
      by.accept(agent, await by.invite(agent, { ttlMs: 60_000 }));
    const may = ({ token }: Credential) =>
      Promise.all([fixture.reads(token, 'dev/db'), fixture.reads(token, 'staging/db')]);

    it('enrols, harmlessly again, and shows any governor of the project what there is', async () => {
      expect(await first.look('ann')).toBeUndefined();
      await first.enroll('ann', 'T1');
      await second.enroll('ann', 'T1');
      expect(await second.look('ann')).toEqual({ agent: 'ann', tier: 'T1', standing: 'active' });
      await expect(fixture.stranger.enroll('ann', 'T1')).rejects.toMatchObject({ code: 'CONFLICT' });
    });

    it('loses nobody when governors enrol at once', async () => {
      const agents = ['one', 'two', 'three', 'four'];
      await Promise.all(agents.map((agent, i) => [first, second][i % 2]?.enroll(agent, i < 2 ? 'T1' : 'T2')));
      for (const [i, agent] of agents.entries()) {
        await using credential = await logIn(agent);
        expect(await may(credential)).toEqual([true, i >= 2]);
      }
    });

    it('gives a live token the rights of the new tier at its next request, up and down', async () => {
      await first.enroll('bob', 'T1');
      await using credential = await logIn('bob');
      expect(credential.lifeMs).toBeGreaterThan(0);
      expect(await may(credential)).toEqual([true, false]);
      await second.enroll('bob', 'T2');
      expect(await may(credential)).toEqual([true, true]);
      await second.enroll('bob', 'T0');
      expect(await may(credential)).toEqual([false, false]);
    });

    it('ends a token with its credential, twice harmless', async () => {
      await first.enroll('cleo', 'T1');
      const credential = await logIn('cleo');
      expect(await may(credential)).toEqual([true, false]);
      await credential[Symbol.asyncDispose]();
      await credential[Symbol.asyncDispose]();
      expect(await may(credential)).toEqual([false, false]);
    });

    it('refuses live tokens and logins while it is suspended, and goes on afterwards', async () => {
      await first.enroll('dan', 'T1');
      await using credential = await logIn('dan');
      const invitation = await first.invite('dan', minute);
      expect(await second.suspend('dan')).toBe(true);
      expect(await second.suspend('dan')).toBe(true);
      expect(await may(credential)).toEqual([false, false]);
      await expect(first.accept('dan', invitation)).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
      await expect(first.invite('dan', minute)).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
      await first.enroll('dan', 'T1');
      expect(await first.look('dan')).toMatchObject({ standing: 'suspended' });
      expect(await first.restore('dan')).toBe(true);
      expect(await may(credential)).toEqual([true, false]);
      expect([await first.suspend('nobody'), await first.restore('nobody')]).toEqual([false, false]);
    });

    it('lets in once by an invitation, and nobody by another’s', async () => {
      await first.enroll('eve', 'T1');
      await first.enroll('fay', 'T1');
      const [eves, fays] = [await first.invite('eve', minute), await first.invite('fay', minute)];
      const misused = { ...fays, token: eves.token };
      await expect(second.accept('fay', misused)).rejects.toMatchObject({ details: { reason: 'agent' } });
      await using credential = await second.accept('eve', eves);
      expect(await may(credential)).toEqual([true, false]);
      await expect(first.accept('eve', eves)).rejects.toMatchObject({ details: { reason: 'used' } });
    });

    it('shows that somebody else opened the envelope, and after tampering no earlier token is of use', async () => {
      await first.enroll('gil', 'T1');
      await using early = await logIn('gil');
      const [opened, other] = [await first.invite('gil', minute), await first.invite('gil', minute)];
      await fixture.steal(opened);
      await expect(first.accept('gil', opened)).rejects.toMatchObject({
        ...{ code: 'IDENTITY_TAMPERED', details: { reason: 'opened' } },
      });
      expect(await second.suspend('gil', 'tampered')).toBe(true);
      expect(await first.look('gil')).toMatchObject({ standing: 'tampered' });
      expect(await second.restore('gil')).toBe(true);
      expect(await first.look('gil')).toMatchObject({ tier: 'T1', standing: 'active' });
      expect(await may(early)).toEqual([false, false]);
      await expect(first.accept('gil', other)).rejects.toThrow();
      await using late = await logIn('gil');
      expect(await may(late)).toEqual([true, false]);
    });

    it('revokes for good: tokens that any governor got, the way in, and later enrolments', async () => {
      await first.enroll('hal', 'T2');
      const [one, two] = [await logIn('hal'), await logIn('hal', second)];
      expect(await second.revoke('hal')).toEqual({ known: true, tokens: 2 });
      expect([await may(one), await may(two)].flat()).toEqual([false, false, false, false]);
      expect(await first.look('hal')).toMatchObject({ standing: 'revoked' });
      expect(await first.revoke('hal')).toEqual({ known: true, tokens: 0 });
      expect(await first.revoke('nobody')).toEqual({ known: false, tokens: 0 });
      await expect(first.enroll('hal', 'T2')).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(first.restore('hal')).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
      await expect(first.invite('hal', minute)).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
    });

    it('retires: nobody logs in, what lives serves to its end, and then it is over for good', async () => {
      await first.enroll('liz', 'T1');
      const credential = await logIn('liz');
      const invitation = await second.invite('liz', minute);
      expect(await second.retire('liz')).toEqual({ known: true, live: 1 });
      expect(await may(credential)).toEqual([true, false]);
      await expect(first.invite('liz', minute)).rejects.toThrow();
      await expect(first.accept('liz', invitation)).rejects.toThrow();
      await credential[Symbol.asyncDispose]();
      expect(await first.retire('liz')).toEqual({ known: true, live: 0 });
      expect(await second.retire('liz')).toEqual({ known: true, live: 0 });
      expect(await first.look('liz')).toMatchObject({ standing: 'retired' });
      await expect(first.enroll('liz', 'T1')).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(first.restore('liz')).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
      expect(await first.retire('nobody')).toEqual({ known: false, live: 0 });
    });

    it('ends no identity of another project', async () => {
      const { stranger } = fixture;
      await first.enroll('meg', 'T1');
      expect([await stranger.suspend('meg'), await stranger.restore('meg')]).toEqual([false, false]);
      expect(await stranger.retire('meg')).toEqual({ known: false, live: 0 });
      expect(await stranger.revoke('meg')).toEqual({ known: false, tokens: 0 });
      await using credential = await logIn('meg');
      expect(await may(credential)).toEqual([true, false]);
      await first.revoke('meg');
      expect(await first.retire('meg')).toEqual({ known: true, live: 0 });
      expect(await first.look('meg')).toMatchObject({ standing: 'revoked' });
    });

    it('ends every token of a tier at once, of those too that came from another, and of no other tier', async () => {
      await first.enroll('ida', 'T0');
      await first.enroll('joe', 'T1');
      await first.enroll('kim', 'T2');
      const [ida, joe, kim] = [await logIn('ida'), await logIn('joe'), await logIn('kim')];
      await first.enroll('ida', 'T1');
      expect(await may(ida)).toEqual([true, false]);
      expect(await second.revokeTier('T1')).toMatchObject({ known: true });
      expect([await may(ida), await may(joe), await may(kim)]).toEqual([
        ...[
          [false, false],
          [false, false],
          [true, true],
        ],
      ]);
      await kim[Symbol.asyncDispose]();
      await using again = await logIn('joe');
      expect(await may(again)).toEqual([true, false]);
    });

    it('invites nobody who has no identity', async () => {
      await expect(first.invite('nobody', minute)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
}
