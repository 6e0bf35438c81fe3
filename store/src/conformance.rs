//! One suite for both back ends: every case here runs on SQLite and on PostgreSQL.
//!
//! The cases of PostgreSQL need a server: `FLOWMASTER_TEST_POSTGRES` is the URL of a role that may
//! create databases; `cargo xtask test` starts one. Each case has a database of its own.

pub(crate) mod bed;
mod idempotent_calls;
mod journals;
mod messages;
mod migrations;
mod tenants;
mod timing;
mod transactions;
mod values;
mod workers;

pub(crate) use self::bed::Bed;

/// Instantiates each case once per back end.
macro_rules! conformance {
    ($($subject:ident: $($case:ident),+ $(,)?;)+) => {
        mod sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$subject::$case(super::Bed::sqlite().await).await;
                }
            )+)+
        }

        mod postgres {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$subject::$case(super::Bed::postgres().await).await;
                }
            )+)+
        }
    };
}

conformance! {
    transactions:
        what_is_committed_survives_a_restart,
        a_dropped_transaction_rolls_back_itself_alone,
        a_transaction_sees_its_own_writes_and_others_do_not,
        a_snapshot_does_not_move,
        a_failed_statement_leaves_only_a_rollback,
        concurrent_increments_lose_no_update,
        write_sets_of_many_callers_fail_alone,
        a_write_set_is_all_or_nothing,
        a_late_call_is_not_begun,
        statements_that_would_end_a_transaction_are_refused,
        a_store_that_is_closed_says_so,
        drivers_are_woken_by_what_concerns_them;
    values:
        every_value_fits_its_column_and_null_fits_all,
        a_wrong_number_of_parameters_is_told,
        what_is_too_large_is_refused,
        filters_put_together_at_run_time_are_bound,
        lists_are_read_in_pages;
    tenants:
        a_tenant_sees_and_changes_only_its_own,
        the_tables_of_the_store_keep_tenants_apart;
    idempotent_calls:
        sixteen_calls_with_one_key_have_one_effect_and_one_answer,
        a_key_with_another_body_or_operation_is_a_conflict,
        a_recorded_answer_survives_a_restart,
        a_call_that_failed_may_be_repeated,
        a_write_set_records_its_answer,
        keys_of_principals_are_their_own,
        old_answers_are_forgotten;
    workers:
        jobs_come_by_priority_then_age,
        no_queue_keeps_another_waiting,
        jobs_of_a_paused_instance_are_not_handed_out,
        a_job_is_not_due_before_its_time_nor_without_attempts,
        two_workers_never_hold_the_same_job,
        a_worker_that_lost_its_lease_is_refused,
        a_claim_and_its_answer_stand_and_fall_together,
        a_lease_can_be_prolonged,
        a_failed_job_comes_back_later_with_less_attempts,
        an_ended_instance_leaves_no_jobs,
        an_external_worker_gets_its_tenants_jobs_only,
        a_named_lease_has_one_holder;
    timing:
        timers_fire_when_due_and_once,
        a_timer_whose_driver_died_fires_again,
        the_next_moment_is_known,
        cancelled_timers_do_not_fire;
    messages:
        messages_of_a_key_come_in_order_and_without_a_gap,
        what_was_not_marked_delivered_comes_again,
        a_failed_message_holds_up_its_key_alone,
        a_dead_letter_lets_its_key_go_on_and_can_be_redriven,
        a_message_with_an_older_id_is_not_passed_over,
        nothing_is_sent_of_a_transaction_that_was_rolled_back;
    journals:
        a_journal_is_read_back_in_order_and_in_pages,
        two_writers_of_one_instance_do_not_both_append,
        a_journal_that_was_tampered_with_is_found,
        a_journal_is_taken_out_to_the_letter,
        a_transition_is_written_only_for_the_audience_that_there_is;
    migrations:
        steps_are_applied_once_and_in_order,
        an_applied_step_with_another_text_is_refused,
        a_newer_database_is_refused,
        a_failed_step_leaves_nothing_behind,
        two_migrations_at_once_apply_each_step_once;
}
