from hil_tests.instruments.cli import main

main(prog_name="python -m hil_tests.instruments")
