#!/usr/bin/env node
/**
 * The program `turnproof`, or the same again under a Node that is new enough. Only what old Nodes understand may stand
 * here and in own-node.ts; everything else is loaded after that.
 */
import { isEnough, runAgain } from './own-node.ts';

if (isEnough(process.versions.node)) await import('./run-program.ts');
else runAgain(import.meta.url);
