import { test } from '../../schism.ts';
import { HOSTILE } from './words.ts';

test(`a title ${HOSTILE.join(' ')}`, {});
