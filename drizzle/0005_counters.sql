ALTER TABLE `jobs` ADD `counters` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `counters_not_kept` integer DEFAULT 0 NOT NULL;