import { describe, expect, test } from 'vitest';
import { shortened } from '../../scripts/vite-short-names.ts';

/** In one line, for comparing. */
function short(code: string): string {
  return shortened(code, 'one.ts').replace(/\s+/g, ' ').trim();
}

describe('short names of private members', () => {
  test('are given wherever the member is used, to fields, methods and accessors alike', () => {
    expect(
      short(`class One {
        private count = 1;
        private get half() { return this.count / 2; }
        private grow(): void { [1].forEach((by) => { this.count += by + this.half; }); }
        all() { const { count, half: rest } = this; this.grow(); return count + rest; }
      }`),
    ).toBe(
      'class One { private $0 = 1; private get $1() { return this.$0 / 2; } ' +
        'private $2(): void { [1].forEach((by) => { this.$0 += by + this.$1; }); } ' +
        'all() { const { $0: count, $1: rest } = this; this.$2(); return count + rest; } }',
    );
  });

  test.each([
    ['of another instance', 'same(other: One) { return this.count === other.count; }'],
    ['meant by a string', "any() { return this['count']; }"],
    ['picked from another instance', 'same({ count }: One) { return this.count === count; }'],
    ['of another this', 'view() { const our = this.count; return { our, get all() { return this.count; } }; }'],
  ])('are not given to a member that is also one %s', (_, method) => {
    expect(short(`class One { private count = 1; ${method} }`)).toBe(`class One { private count = 1; ${method} }`);
  });

  test('are not given to what others see, to variables, and to the same name in another class', () => {
    const code = `class Other { count = 1; up(count: number) { this.count = count; } private constructor() {} }`;
    expect(
      short(`${code} class One { private count = 2; get() { const count = this.count; return { count }; } }`),
    ).toBe(`${code} class One { private $0 = 2; get() { const count = this.$0; return { count }; } }`);
  });

  test('are the same few in all classes, the shortest for what is used most', () => {
    const other =
      'class Other { private first = 1; private most = 2; sum() { return this.first + this.most * this.most; } }';
    expect(short(`class One { private count = 1; } ${other}`)).toBe(
      'class One { private $0 = 1; } ' +
        'class Other { private $1 = 1; private $0 = 2; sum() { return this.$1 + this.$0 * this.$0; } }',
    );
  });

  test('of a subclass are not those of its parents', () => {
    expect(short('class Sub extends One { private own = 1; get() { return this.own; } }')).toBe(
      'class Sub extends One { private $S3_0 = 1; get() { return this.$S3_0; } }',
    );
    const unnamed = 'const made = class extends One { private own = 1; };';
    expect(short(unnamed)).toBe(unnamed);
  });

  test('fields that begin with nothing are left out, but where they could hide what is inherited', () => {
    expect(short('class One { private at: number; was?: string; constructor() { this.at = 1; } }')).toBe(
      'class One { constructor() { this.$0 = 1; } }',
    );
    expect(short('class One extends Base { title: string; }')).toBe('class One extends Base { title: string; }');
  });
});
