import { eq } from 'drizzle-orm'
import type { ApiKeyStore } from './api-keys.ts'
import { webhookSecrets } from './schema.ts'

/** The organisation's signing secret; undefined where it has none. Throws where D1 does. */
export async function findWebhookSecret(
  store: ApiKeyStore,
  organizationId: string,
): Promise<string | undefined> {
  const [row] = await store
    .select()
    .from(webhookSecrets)
    .where(eq(webhookSecrets.organizationId, organizationId))
  return row?.secret
}

/** Gives the organisation a signing secret, in place of the one it had. */
export async function saveWebhookSecret(
  store: ApiKeyStore,
  organizationId: string,
  secret: string,
  createdAt: number,
): Promise<void> {
  await store
    .insert(webhookSecrets)
    .values({ organizationId, secret, createdAt })
    .onConflictDoUpdate({ target: webhookSecrets.organizationId, set: { secret, createdAt } })
}
