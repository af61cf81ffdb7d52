import { openHistory } from '../../src/history/open-history.ts';
import { someone } from '../support/repository.ts';
import { behavesLikeReader } from './behaves-like-reader.ts';

behavesLikeReader(async (directory) => (await openHistory(directory, { ...someone, PATH: '/nonexistent' })).reader);
