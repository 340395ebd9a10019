#!/usr/bin/env node
console.error('Usage: milepost COMMAND')
process.exitCode = 2
