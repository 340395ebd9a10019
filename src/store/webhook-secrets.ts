import { eq } from 'drizzle-orm'
import { webhookSecrets } from './schema.ts'
import type { AnyStore } from './store.ts'

/** The organization's signing secret; undefined if it has none. Throws if D1 fails. */
export async function findWebhookSecret(
  store: AnyStore,
  organizationId: string,
): Promise<string | undefined> {
  const [row] = await store
    .select()
    .from(webhookSecrets)
    .where(eq(webhookSecrets.organizationId, organizationId))
  return row?.secret
}

/** Sets the organization's signing secret, replacing any earlier one. */
export async function saveWebhookSecret(
  store: AnyStore,
  organizationId: string,
  secret: string,
  createdAt: number,
): Promise<void> {
  await store
    .insert(webhookSecrets)
    .values({ organizationId, secret, createdAt })
    .onConflictDoUpdate({ target: webhookSecrets.organizationId, set: { secret, createdAt } })
}
