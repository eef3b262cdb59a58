"""Slack: threads and days of channels. https://docs.slack.dev/reference/methods"""
