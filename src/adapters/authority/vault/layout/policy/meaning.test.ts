/** Two texts are one policy when Vault would allow the same by both; what is not understood is like nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchanges } from '../../../../../../test/support/vault/index.ts';
import { policyMeaning } from './meaning.ts';

const rule = 'path "a/*" { capabilities = ["read", "list"] }';
const meaning = { 'a/*': ['list', 'read'] };

describe('one meaning', () => {
  it.each([
    ['other spaces', 'path  "a/*"\t{\n\n  capabilities=[ "read","list" ]\r\n}\n'],
    ['another order', 'path "a/*" { capabilities = ["list", "read"] }'],
    ['a capability twice, a comma too many', 'path "a/*" { capabilities = ["list", "read", "list",], }'],
    ['comments of all kinds', `# one "\n// two {\n/* three\n} */ ${rule} # four`],
    ['two rules that add up', 'path "a/*" { capabilities = ["read"] }\npath "a/*" { capabilities = ["list"] }'],
    ['the old form', 'path "a/*" { policy = "read" }'],
    ['both forms', 'path "a/*" { policy = "read" capabilities = ["read"] }'],
    ['a slash before it', 'path "/a/*" { capabilities = ["read", "list"] }'],
    ['a name and a comment', `name = "x"\npath "a/*" { comment = "y" capabilities = ["read", "list"] }`],
    ['assignment in place of blocks', 'path = { "a/*" = { capabilities = ["read", "list"] } }'],
    ['JSON', '{ "path": { "a/*": { "capabilities": ["read", "list"] } } }'],
    ['JSON in a list', '{"path": [{"a/*": {"capabilities": ["read"]}}, {"a/*": {"capabilities": ["list"]}}]}'],
    ['JSON with escapes', '{"path": {"a\\/\\u002a": {"capabilities": ["read", "list"]}}}'],
  ])('whatever the layout: %s', (_what, text) => {
    expect(policyMeaning(text)).toEqual(meaning);
  });

  it('of a denial: it beats all else', () => {
    expect(policyMeaning(`${rule} path "a/*" { capabilities = ["read", "deny"] }`)).toEqual({ 'a/*': ['deny'] });
  });
});

describe('another meaning', () => {
  it.each([
    ['a capability more', 'path "a/*" { capabilities = ["read", "list", "sudo"] }'],
    ['a capability less', 'path "a/*" { capabilities = ["read"] }'],
    ['a path more', `${rule} path "b" { capabilities = ["read"] }`],
    ['a wider path', 'path "a*" { capabilities = ["read", "list"] }'],
    ['a rule that takes everything', `${rule} path "a/b" { capabilities = [] }`],
    ['a limit on parameters', 'path "a/*" { capabilities = ["read", "list"] allowed_parameters = { "x" = [] } }'],
    // JSON.parse would see the last one alone; Vault takes both.
    ['JSON with a member twice', `{"path": {"x": {"policy": "sudo"}}, "path": {"a/*": {"policy": "read"}}}`],
    ['JSON with a path twice', `{"path": {"a/*": {"policy": "sudo"}, "a/*": {"policy": "read"}}}`],
    ['a rule behind what looks like a comment', `path "b#" { policy = "sudo" }\n${rule}`],
    ['a rule behind a quote', `path "b\\"" { policy = "sudo" } ${rule}`],
  ])('%s', (_what, text) => {
    expect(policyMeaning(text)).not.toEqual(meaning);
    expect(policyMeaning(text)).not.toHaveProperty('cannot be read');
  });

  it('keeps what limits a path', () => {
    const limits = 'denied_parameters = { "p" = ["x", 1, true] } min_wrapping_ttl = "1s"';
    expect(policyMeaning(`path "a" { capabilities = ["update"] ${limits} }`)).toEqual({
      a: { capabilities: ['update'], denied_parameters: [['p', ['x', 1, true]]], min_wrapping_ttl: '1s' },
    });
  });
});

describe('what is not understood', () => {
  it.each([
    ['cut short', 'path "a/*" { capabilities = ['],
    ['a heredoc', `${rule} path <<X\nb\nX\n{ policy = "sudo" }`],
    ['interpolation', `path "\${a}" { policy = "sudo" } ${rule}`],
    ['another top-level key', `rule "x" { } ${rule}`],
    ['a member twice', 'path "a/*" { capabilities = ["read"] capabilities = ["list"] }'],
    ['a limited path twice', `${rule} path "a/*" { capabilities = ["read"] min_wrapping_ttl = 1 }`],
    ['capabilities that are no list', 'path "a/*" { capabilities = "read" }'],
    ['no such policy', 'path "a/*" { policy = "toString" }'],
    ['something after JSON', `{"path": {"a/*": {"policy": "read"}}} ${rule}`],
    ['a hundred thousand brackets', `path "a/*" { x = ${'['.repeat(100_000)}`],
    ['null', '{"path": {"a/*": null}}'],
    ['a list without commas', 'path "a/*" { capabilities = ["read" "list"] }'],
  ])('is said and equals nothing: %s', (_what, text) => {
    expect(Object.keys(policyMeaning(text))).toEqual(['cannot be read']);
  });

  it('throws on no text at all', () => {
    const piece = fc.constantFrom(
      'path',
      '"a"',
      '{',
      '}',
      '[',
      ']',
      '=',
      ':',
      ',',
      '"',
      '#',
      '\n',
      '\\',
      'policy',
      '1',
      '/*',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((all) => all.join(' ')),
        ),
        (text) => {
          expect(policyMeaning(text)).toBeTypeOf('object');
        },
      ),
    );
  });
});

it('reads the policies that were recorded from a real Vault', () => {
  const recorded = exchanges.flatMap(({ request: { body } }) =>
    body && typeof body === 'object' && !Array.isArray(body) && typeof body['policy'] === 'string'
      ? [body['policy']]
      : [],
  );
  expect(recorded.map((text) => 'cannot be read' in policyMeaning(text))).toEqual([false, false, true, false]);
});
