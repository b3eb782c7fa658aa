from appliance.launch.cli import main

main(prog_name="branchline")
