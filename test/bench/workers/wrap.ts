/** What a wrapper puts between the product and the runtime. */
export interface Wrapper {
  /** Replaces the bindings. */
  env: (env: Env) => Env
  /** Is called with the storage of each object. */
  storage?: (storage: DurableObjectStorage) => void
  /** Answers requests of the bench itself. */
  fetch?: (request: Request) => Promise<Response> | Response | undefined
}

export type Env = Record<string, unknown>

export function wrapHandler(product: ExportedHandler<Env>, wrappers: Wrapper[]): ExportedHandler<Env> {
  let wrapped: Env | undefined
  return {
    ...product,
    async fetch(request, env, ctx) {
      for (const { fetch } of wrappers) {
        const response = await fetch?.(request)
        if (response) return response
      }
      wrapped ??= wrapEnv(env, wrappers)
      if (product.fetch === undefined) throw new Error('The product does not serve requests')
      return await product.fetch(request, wrapped, ctx)
    },
  }
}

type ObjectClass = new (ctx: DurableObjectState, env: Env) => object

export function wrapObject(product: ObjectClass, wrappers: Wrapper[]): ObjectClass {
  return class extends product {
    constructor(ctx: DurableObjectState, env: Env) {
      for (const { storage } of wrappers) storage?.(ctx.storage)
      super(ctx, wrapEnv(env, wrappers))
    }
  }
}

function wrapEnv(env: Env, wrappers: Wrapper[]): Env {
  return wrappers.reduce((inner, wrapper) => wrapper.env(inner), env)
}

/** The bindings with those that `matches` replaced. */
export function replaceBindings<Binding>(
  env: Env,
  matches: (binding: unknown) => binding is Binding,
  replace: (binding: Binding, name: string) => Binding,
): Env {
  return Object.fromEntries(
    Object.entries(env).map(([name, binding]) => [name, matches(binding) ? replace(binding, name) : binding]),
  )
}

export function isD1(binding: unknown): binding is D1Database {
  return has(binding, 'prepare') && has(binding, 'batch')
}

export function isNamespace(binding: unknown): binding is DurableObjectNamespace {
  return has(binding, 'idFromName')
}

function has(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value
}
