/** The first floor: a Worker that answers. */
export default {
  async fetch(request) {
    await request.text()
    return Response.json({ ok: true })
  },
} satisfies ExportedHandler
