"""Functions that take longer than usual to be ready after a change."""

from ministack.services import lambda_svc


def install(failures):
    schedule = lambda_svc._schedule_state_transition

    def scheduled(function, delay):
        scripted = failures.function_delay(function)
        schedule(function, delay if scripted is None else scripted)

    lambda_svc._schedule_state_transition = scheduled
