import { Errors } from '@oclif/core';
import { ViewsyncError } from '../errors.ts';
import { interrupted } from '../history/interruption.ts';

/** Anything that was thrown, as an error that a person can act on. */
export function toViewsyncError(error: unknown): ViewsyncError {
  if (error instanceof ViewsyncError) return error;
  if (error instanceof Errors.CLIError) return usageError(error);
  if (error instanceof Error && error.name === 'ExitPromptError') return interrupted();
  return internalError(error);
}

function usageError(error: Errors.CLIError): ViewsyncError {
  const message = error.message
    .replace(/\n?See more help with --help$/, '')
    .replace(/^Nonexistent flag/, 'Unknown flag')
    .replace(/\s+/g, ' ');
  return new ViewsyncError('USAGE', { message: `${message.replace(/[.\s]*$/, '')}. Nothing was done.`, suggestions: ['viewsync --help'], cause: error });
}

function internalError(error: unknown): ViewsyncError {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  return new ViewsyncError('INTERNAL', {
    message: `This is a fault in viewsync: ${message}`,
    suggestions: ['viewsync status', 'report it with the text below'],
    details: stack === undefined ? {} : { stack: withoutCredentials(stack) },
    cause: error,
  });
}

/** A driver's stack may quote the connection string. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/\s@]*@/g, '//***@');
}
