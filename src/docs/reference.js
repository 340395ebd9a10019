// Loads after Scalar's module, which leaves itself on the window.

window.Scalar.createApiReference('#reference', {
  url: '/openapi.json',
  // Requests go from this page straight to this API, and nothing goes anywhere else.
  proxyUrl: '',
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  withDefaultFonts: false,
  // A key stays on the page: a reload forgets it.
  persistAuth: false,
  authentication: { preferredSecurityScheme: 'serverApiKey' },
  // Follows the system, like the other pages.
  hideDarkModeToggle: true,
  theme: 'none',
  defaultOpenAllTags: true,
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
  hideModels: false,
})
