// `current_date` with the TypeScript SDK, served as Lockstep serves: stateless, JSON answers.

import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import * as z from 'zod';

const outputSchema = z.object({
  iso_date: z.string(),
  iso_datetime: z.string(),
  day_of_week: z.string(),
  month: z.string(),
  year: z.number(),
  unix_timestamp: z.number(),
  formatted: z.object({ spec_directory: z.string(), header: z.string(), readable: z.string() }),
  usage_note: z.string(),
});
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December',
];

function view(now) {
  const iso_datetime = now.toISOString();
  const iso_date = iso_datetime.slice(0, 10);
  const [month, year] = [MONTHS[now.getUTCMonth()], now.getUTCFullYear()];
  return {
    iso_date,
    iso_datetime,
    day_of_week: DAYS[now.getUTCDay()],
    month,
    year,
    unix_timestamp: Math.floor(now.getTime() / 1000),
    formatted: {
      spec_directory: `${iso_date}-`,
      header: `**Date**: ${iso_date}`,
      readable: `${month} ${now.getUTCDate()}, ${year}`,
    },
    usage_note: 'use iso_date wherever a document needs a date',
  };
}

function peer() {
  const server = new McpServer({ name: 'peer', version: '1' });
  const description = 'The date and time of this machine';
  server.registerTool('current_date', { description, inputSchema: z.object({}), outputSchema }, async () => {
    const structuredContent = view(new Date());
    return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
  });
  return server;
}

const handler = toNodeHandler(createMcpHandler(peer));
createServer((request, response) => handler(request, response)).listen(Number(process.env.PORT), '127.0.0.1');
