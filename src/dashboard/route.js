/** @typedef {{ page: 'list', filter: URLSearchParams } | { page: 'job', jobId: string }} Route */

/** Reads the page from the address. @param {string} hash @returns {Route} */
export function readRoute(hash) {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?')
  const jobId = /^\/jobs\/([^/]+)$/.exec(path)?.[1]
  return jobId === undefined
    ? { page: 'list', filter: new URLSearchParams(query) }
    : { page: 'job', jobId: decode(jobId) }
}

/** @param {string} jobId */
export function addressOfJob(jobId) {
  return `#/jobs/${encodeURIComponent(jobId)}`
}

/** @param {URLSearchParams} filter */
export function addressOfList(filter) {
  const query = filter.toString()
  return query === '' ? '#/' : `#/?${query}`
}

/** Returns a malformed id unchanged; no job has it. @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
