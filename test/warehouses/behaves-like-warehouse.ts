import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/dialect.ts';
import type { Step } from '../../src/core/plan.ts';
import { compareRelations, type RelationName, relationKey } from '../../src/core/relation.ts';
import { foldWord } from '../../src/core/tokens.ts';
import type { View } from '../../src/core/view.ts';
import type { SettleRequest, Transaction, TransactionOptions, Warehouse } from '../../src/warehouses/warehouse.ts';

/** An empty warehouse for one test. */
export interface WarehouseFixture extends AsyncDisposable {
  /** The catalog of both schemas, where names have one. */
  readonly catalog?: string;
  /** A schema that exists and that views can be created in. */
  readonly schema: string;
  /** A second one. */
  readonly otherSchema: string;
  readonly dialect: Dialect;
  connect(): Promise<Warehouse>;
  /** Creates a view outside of viewsync, as a user would. `definition` is SQL that every engine takes. */
  createView(name: RelationName, definition: string): Promise<void>;
  dropView(name: RelationName): Promise<void>;
}

const lockTimeout = 200;
const open: TransactionOptions = { lockTimeout, attempts: 1, locks: [] };

/** The laws that hold for every adapter: what the contract in `src/warehouses/warehouse.ts` says. */
export function behavesLikeWarehouse(makeFixture: () => Promise<WarehouseFixture>): void {
  const withWarehouse = async (work: (warehouse: Warehouse, fixture: WarehouseFixture) => Promise<void>): Promise<void> => {
    await using fixture = await makeFixture();
    const warehouse = await fixture.connect();
    try {
      await work(warehouse, fixture);
    } finally {
      await warehouse.close();
    }
  };

  describe('inspect', () => {
    test('finds nothing in an empty warehouse', () =>
      withWarehouse(async (warehouse, { schema }) => {
        const { snapshot } = await warehouse.inspect({ schemas: [schema] });
        expect(snapshot.views).toEqual([]);
        expect(snapshot.description).toMatchObject({ warehouse: warehouse.dialect.warehouse, unreadable: [] });
      }));

    test('lists views sorted, with columns and what they read', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { base, top } = await createPair(fixture);
        const { snapshot, relations } = await warehouse.inspect({ schemas: [fixture.schema] });
        expect(snapshot.views.map((view) => view.name)).toEqual([base, top].sort(compareRelations));
        const view = snapshot.views.find(({ name }) => name.name === 'a_top');
        expect(view?.columns.map((column) => column.name)).toEqual([foldWord('n', warehouse.dialect.folds)]);
        expect(view?.reads).toEqual([base]);
        expect(relations.has(relationKey(base))).toBe(true);
      }));

    test('keeps views out of scope apart, and misses none of them', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { base } = await createPair(fixture);
        const elsewhere = { ...base, schema: fixture.otherSchema };
        await fixture.createView(elsewhere, 'SELECT 2 AS n');
        const { snapshot, outside } = await warehouse.inspect({ schemas: ['*', `!${fixture.otherSchema}`] });
        expect(snapshot.views.map((view) => view.name.schema)).not.toContain(fixture.otherSchema);
        expect(outside.map((view) => view.name)).toContainEqual(elsewhere);
      }));

    test('answers the same twice', () =>
      withWarehouse(async (warehouse, fixture) => {
        await createPair(fixture);
        const first = await warehouse.inspect({ schemas: ['*'] });
        const second = await warehouse.inspect({ schemas: ['*'] });
        expect(second.snapshot).toEqual(first.snapshot);
      }));

    test('takes no more round trips for more views', () =>
      withWarehouse(async (warehouse, fixture) => {
        await createPair(fixture);
        const before = await warehouse.inspect({ schemas: ['*'] });
        for (let number = 0; number < 20; number++) await fixture.createView(nameIn(fixture, `more_${number}`), 'SELECT 1 AS n');
        const after = await warehouse.inspect({ schemas: ['*'] });
        expect(after.snapshot.views.length).toBe(before.snapshot.views.length + 20);
        expect(after.queries).toBe(before.queries);
      }));
  });

  describe('settle', () => {
    test('tells the live definition from another one', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { base, top } = await createPair(fixture);
        const views = await readViews(warehouse);
        const requests = [
          askFor(views, base, viewOf(views, base).definition),
          askFor(views, top, `SELECT n AS other FROM ${warehouse.dialect.quoteRelation(base)}`),
        ];
        const settled = await warehouse.settle(requests);
        expect(settled.get(relationKey(base))).toMatchObject({ outcome: 'same' });
        expect(settled.get(relationKey(top))).toMatchObject({ outcome: 'different', columns: [{ name: foldWord('other', warehouse.dialect.folds) }] });
      }));

    test('a refused definition leaves the answers to the others alone, and nothing is changed', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { base, top } = await createPair(fixture);
        const views = await readViews(warehouse);
        const missing = warehouse.dialect.quoteRelation({ ...base, name: 'not_there' });
        const settled = await warehouse.settle([askFor(views, top, `SELECT n FROM ${missing}`), askFor(views, base, viewOf(views, base).definition)]);
        expect(settled.get(relationKey(top))).toMatchObject({ outcome: 'refused' });
        expect(settled.get(relationKey(base))).toMatchObject({ outcome: 'same' });
        expect(await readViews(warehouse)).toEqual(views);
      }));
  });

  describe('transact', () => {
    test('keeps what the steps did when the work returns', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { top } = await createPair(fixture);
        const before = await readViews(warehouse);
        const outcome = await warehouse.transact({ ...open, locks: [viewOf(before, top)] }, (transaction) =>
          transaction.execute([dropStep(warehouse, before, top)]),
        );
        expect(outcome.failure).toBeUndefined();
        expect((await readViews(warehouse)).map(({ name }) => name)).not.toContainEqual(top);
      }));

    test('a created view is the one that was dropped', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { top } = await createPair(fixture);
        const before = await readViews(warehouse);
        const view = viewOf(before, top);
        const create: Step = { kind: 'create', view: top, sql: warehouse.dialect.createView(view, 'create'), because: 'it is wanted' };
        const seen = await warehouse.transact({ ...open, locks: [view] }, async (transaction) => {
          await transaction.execute([dropStep(warehouse, before, top), create]);
          return transaction.inspect([top, { ...top, name: 'not_there' }]);
        });
        expect(seen).toEqual([view]);
        expect(await readViews(warehouse)).toEqual(before);
      }));

    test('tells which step failed and what the server said, and runs none after it', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { top, base } = await createPair(fixture);
        const before = await readViews(warehouse);
        const absent = { ...viewOf(before, base), name: { ...base, name: 'not_there' } };
        const broken: Step = { kind: 'alter', view: base, sql: warehouse.dialect.dropView(absent), because: 'it must fail' };
        const done: number[] = [];
        const work = async (transaction: Transaction): Promise<never> => {
          const { failure } = await transaction.execute([dropStep(warehouse, before, top), broken, dropStep(warehouse, before, base)], (index) =>
            done.push(index),
          );
          expect(failure).toMatchObject({ index: 1, message: expect.stringMatching(/./) });
          throw new Error('stop');
        };
        await expect(warehouse.transact(open, work)).rejects.toThrow('stop');
        expect(done).toEqual([0]);
        const left = before.filter(({ name }) => relationKey(name) !== relationKey(top));
        expect(await readViews(warehouse)).toEqual(warehouse.dialect.isTransactional ? before : left);
      }));

    test('lets no second run in, and says so', () =>
      withWarehouse(async (warehouse, fixture) => {
        const second = await fixture.connect();
        await warehouse.transact(open, async () => {
          expect(await second.isBusy()).toBe(true);
          await expect(second.transact(open, async () => undefined)).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
        });
        expect(await second.isBusy()).toBe(false);
        await second.close();
      }));

    test('does not begin when a view that it needs is gone', () =>
      withWarehouse(async (warehouse, fixture) => {
        const { top } = await createPair(fixture);
        const before = await readViews(warehouse);
        await fixture.dropView(top);
        const transact = warehouse.transact({ ...open, locks: [viewOf(before, top)] }, async () => undefined);
        await expect(transact).rejects.toMatchObject({ code: 'WAREHOUSE_MOVED' });
        expect(await warehouse.isBusy()).toBe(false);
      }));
  });
}

function nameIn({ catalog, schema }: WarehouseFixture, name: string): RelationName {
  return catalog === undefined ? { schema, name } : { catalog, schema, name };
}

async function createPair(fixture: WarehouseFixture): Promise<{ readonly base: RelationName; readonly top: RelationName }> {
  const { createView, dialect } = fixture;
  const [base, top] = [nameIn(fixture, 'b_base'), nameIn(fixture, 'a_top')];
  await createView(base, 'SELECT 1 AS n');
  await createView(top, `SELECT n FROM ${dialect.quoteRelation(base)}`);
  return { base, top };
}

async function readViews(warehouse: Warehouse): Promise<readonly View[]> {
  return (await warehouse.inspect({ schemas: ['*'] })).snapshot.views;
}

function viewOf(views: readonly View[], name: RelationName): View {
  const view = views.find((each) => relationKey(each.name) === relationKey(name));
  if (view === undefined) throw new Error(`There is no view ${relationKey(name)}.`);
  return view;
}

function askFor(views: readonly View[], name: RelationName, definition: string): SettleRequest {
  const live = viewOf(views, name);
  return { live, wanted: { ...live, definition, columns: [] } };
}

function dropStep(warehouse: Warehouse, views: readonly View[], name: RelationName): Step {
  return { kind: 'drop', view: name, sql: warehouse.dialect.dropView(viewOf(views, name)), because: 'it goes' };
}
