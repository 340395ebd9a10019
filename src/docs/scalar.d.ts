/** What Scalar's browser build leaves on the window. */
interface Window {
  Scalar: { createApiReference: (selector: string, configuration: object) => unknown }
}
