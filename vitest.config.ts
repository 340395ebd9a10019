import { availableParallelism } from 'node:os'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Most tests wait for processes and clocks: with one file for each core, a third of the cores' time would be idle.
    maxWorkers: availableParallelism() + 1,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              d1Databases: { DB_2: { id: 'test-DB_2' } },
              // An hour: tests archive jobs whose idempotent replies are still within their window of a day.
              bindings: { TEST_MIGRATIONS: await readD1Migrations('drizzle'), ARCHIVE_AFTER_SECONDS: 3_600 },
            },
          })),
        ],
        test: {
          name: 'worker',
          // Evicting an object waits for its pending work, including a write to D1 a second later.
          testTimeout: 20_000,
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['test/worker/apply-migrations.ts'],
        },
      },
      {
        test: {
          name: 'edge',
          include: ['test/edge/**/*.test.ts', 'test/clients/*.test.ts', 'test/generated-clients/*.test.ts'],
          hookTimeout: 30_000,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          hookTimeout: 60_000,
          testTimeout: 60_000,
          // More than one browser and edge at a time overloads the machine.
          fileParallelism: false,
        },
      },
    ],
  },
})
