ALTER TABLE `job_entry_groups` ADD `first_seq` integer;--> statement-breakpoint
ALTER TABLE `job_entry_groups` ADD `last_seq` integer;--> statement-breakpoint
CREATE INDEX `job_entries_by_entity` ON `job_entries` (`organization_id`,"text" ->> 'entity_type',"text" ->> 'entity_key',"text" ->> 'timestamp',`job_id`,`kind`,`seq`);