#!/usr/bin/env bash
echo "runs tool from @out@"
