// The page of the console's commands: what is typed goes on at the end of the line that is there.

const line = document.querySelector(".console input[name=line]");
line.setSelectionRange(line.value.length, line.value.length);
