import { endpoints } from '../../src/endpoints/all.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'

/** An endpoint, or a part of the page, as the security suites call it. */
export interface Case {
  name: string
  method: string
  path: string
  /** What it is about, and so what a stranger is answered: as if there were no such job, no such organization, or like anyone. */
  about: 'job' | 'organization' | 'nobody'
  permission: Endpoint['permission']
  body?: object
  /** The events of a job that is not finished do not end. */
  ofFinished: boolean
}

const api = endpoints.map((endpoint): Case => {
  const method = endpoint.method.toUpperCase()
  return {
    name: `${method} ${endpoint.path}`,
    method,
    path: endpoint.path,
    about: endpoint.path.includes('{job_id}')
      ? 'job'
      : endpoint.permission === null
        ? 'nobody'
        : 'organization',
    permission: endpoint.permission,
    ...(endpoint.body && { body: endpoint.body.example }),
    ofFinished: 'text/event-stream' in (endpoint.replies[200]?.content ?? {}),
  }
})

const page = ['/', '/dashboard/app.js'].map(
  (path): Case => ({
    name: `GET ${path}`,
    method: 'GET',
    path,
    about: 'nobody',
    permission: null,
    ofFinished: false,
  }),
)

export const cases: readonly Case[] = [...api, ...page]

export function casesAbout(about: Case['about']): Case[] {
  return cases.filter((each) => each.about === about)
}
